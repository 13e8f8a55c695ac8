SELECT Apps, count(*) AS Users
FROM (
    SELECT UserPrincipalName, count(DISTINCT IPAddress) AS Addresses, count(DISTINCT AppDisplayName) AS Apps
    FROM SigninLogs GROUP BY UserPrincipalName
)
WHERE Addresses > 10
GROUP BY Apps
