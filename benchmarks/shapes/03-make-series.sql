WITH counts AS (
    SELECT AppDisplayName, time_bucket(INTERVAL 1 HOUR, TimeGenerated) AS Hour, count(*) AS Attempts
    FROM SigninLogs
    WHERE TimeGenerated >= TIMESTAMP '2026-03-01' AND TimeGenerated < TIMESTAMP '2026-03-08'
    GROUP BY ALL
), axis AS (
    SELECT AppDisplayName, x, TIMESTAMP '2026-03-01' + x * INTERVAL 1 HOUR AS Hour
    FROM (SELECT DISTINCT AppDisplayName FROM counts), range(168) AS r(x)
), filled AS (
    SELECT AppDisplayName, x, coalesce(Attempts, 0) AS Attempts
    FROM axis LEFT JOIN counts USING (AppDisplayName, Hour)
), lines AS (
    SELECT AppDisplayName, regr_slope(Attempts, x) AS slope, regr_intercept(Attempts, x) AS intercept
    FROM filled GROUP BY AppDisplayName
), residuals AS (
    SELECT AppDisplayName, Attempts - (slope * x + intercept) AS residual
    FROM filled JOIN lines USING (AppDisplayName)
), spread AS (
    SELECT AppDisplayName, var_pop(residual) AS variance FROM residuals GROUP BY AppDisplayName
)
SELECT AppDisplayName, count(*) AS Anomalies
FROM residuals JOIN spread USING (AppDisplayName)
WHERE residual > 2.5 * sqrt(variance)
GROUP BY AppDisplayName
