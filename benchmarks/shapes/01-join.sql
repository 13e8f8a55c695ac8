SELECT s.UserPrincipalName, count(*) AS Changes
FROM SigninLogs AS s
JOIN (
    SELECT TimeGenerated AS AuditTime, InitiatedBy->'user'->>'userPrincipalName' AS Actor
    FROM AuditLogs WHERE OperationName = 'Reset user password'
) AS a ON s.UserPrincipalName = a.Actor
WHERE s.ResultType <> '0' AND a.AuditTime BETWEEN s.TimeGenerated AND s.TimeGenerated + INTERVAL 1 HOUR
GROUP BY s.UserPrincipalName
