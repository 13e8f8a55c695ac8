SELECT Target->>'type' AS Kind, OperationName, count(*) AS Changes
FROM (SELECT OperationName, unnest(CAST(TargetResources AS JSON[])) AS Target FROM AuditLogs)
GROUP BY ALL
