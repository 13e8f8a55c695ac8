SELECT TIMESTAMP '2026-03-01' + to_microseconds(CAST(i * (604800000000.0 / $rows) AS BIGINT)) AS TimeGenerated, 'user' || (hash(i, 1) % greatest($rows // 50, 10)) || '@contoso.com' AS UserPrincipalName,
       CASE hash(i, 2) % 4
           WHEN 0 THEN '203.0.113.' WHEN 1 THEN '198.51.100.' WHEN 2 THEN '192.0.2.' ELSE '10.' || hash(i, 9) % 256 || '.7.' END
           || (hash(i, 3) % 256) AS IPAddress,
       CASE WHEN hash(i, 4) % 10 = 0 THEN '50126' ELSE '0' END AS ResultType,
       'Application ' || CAST(sqrt(hash(i, 5) % 400) AS INTEGER) AS AppDisplayName
FROM range($rows) AS r(i)
