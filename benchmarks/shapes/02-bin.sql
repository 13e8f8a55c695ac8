SELECT time_bucket(INTERVAL 10 MINUTE, TimeGenerated) AS TimeGenerated, AppDisplayName,
       count(*) AS Attempts, count(*) FILTER (WHERE ResultType <> '0') AS Failures
FROM SigninLogs
GROUP BY ALL
