SELECT TIMESTAMP '2026-03-01' + to_microseconds(CAST(i * (604800000000.0 / $rows) AS BIGINT)) AS TimeGenerated,
       ['Reset user password', 'Update user', 'Add member to group', 'Add service principal']
           [1 + CAST(hash(i, 6) % 4 AS INTEGER)] AS OperationName,
       '{"user":{"id":"' || i || '","userPrincipalName":"' || 'user' || (hash(i, 1) % greatest($rows // 50, 10)) || '@contoso.com' || '","roles":[]}}' AS InitiatedBy,
       '[{"id":"' || i || '","type":"User"},{"id":"g' || i % 99 || '","type":"'
           || (CASE WHEN i % 3 = 0 THEN 'Group' ELSE 'Device' END) || '"},{"id":"r","type":"Role"}]' AS TargetResources
FROM range($rows // 5) AS r(i)
