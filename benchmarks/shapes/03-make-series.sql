WITH counts AS (
    SELECT AppDisplayName, time_bucket(INTERVAL 1 HOUR, TimeGenerated) AS Hour, count(*) AS Attempts
    FROM SigninLogs
    WHERE TimeGenerated >= TIMESTAMP '2026-03-01' AND TimeGenerated < TIMESTAMP '2026-03-08'
    GROUP BY ALL
), axis AS (
    SELECT AppDisplayName, x, TIMESTAMP '2026-03-01' + x * INTERVAL 1 HOUR AS Hour
    FROM (SELECT DISTINCT AppDisplayName FROM counts), range(168) AS r(x)
), filled AS (
    SELECT AppDisplayName, x, Hour, coalesce(Attempts, 0) AS Attempts
    FROM axis LEFT JOIN counts USING (AppDisplayName, Hour)
), seasons AS (
    SELECT *, Attempts - median(Attempts) OVER (PARTITION BY AppDisplayName, x % 24) AS rest FROM filled
), lines AS (
    SELECT AppDisplayName, regr_slope(rest, x) AS slope, regr_intercept(rest, x) AS intercept
    FROM seasons GROUP BY AppDisplayName
), residuals AS (
    SELECT AppDisplayName, Hour, Attempts, rest - (slope * x + intercept) AS residual
    FROM seasons JOIN lines USING (AppDisplayName)
), fences AS (
    SELECT AppDisplayName, quantile_cont(residual, 0.25) AS low, quantile_cont(residual, 0.75) AS high
    FROM residuals GROUP BY AppDisplayName
)
SELECT AppDisplayName, count(*) AS Anomalies, max(Attempts) AS Highest, max(Hour) AS Last
FROM residuals JOIN fences USING (AppDisplayName)
WHERE (residual - high) / (high - low) > 1.5
GROUP BY AppDisplayName
