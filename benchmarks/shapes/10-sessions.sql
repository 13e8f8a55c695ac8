SELECT UserPrincipalName, count(*) FILTER (WHERE New) AS Sessions, count(*) AS Events
FROM (
    SELECT UserPrincipalName,
           coalesce(UserPrincipalName <> lag(UserPrincipalName) OVER w OR TimeGenerated - lag(TimeGenerated) OVER w > INTERVAL 30 MINUTE, TRUE) AS New
    FROM SigninLogs
    WINDOW w AS (ORDER BY UserPrincipalName, TimeGenerated)
)
GROUP BY UserPrincipalName
