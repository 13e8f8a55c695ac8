SELECT TIMESTAMP '2026-03-01' + to_microseconds(CAST(i * (604800000000.0 / $rows) AS BIGINT)) AS TimeGenerated, 'host' || hash(i, 7) % 200 AS Computer,
       CASE WHEN i % 4 = 3 THEN 'cron' ELSE 'sshd' END AS ProcessName,
       CASE i % 4
           WHEN 0 THEN 'Failed password for user' || hash(i, 8) % 500 || ' from 203.0.113.' || hash(i, 9) % 256 || ' port '
               || (1024 + hash(i, 10) % 60000) || ' ssh2'
           WHEN 1 THEN 'Accepted publickey for deploy from 198.51.100.7 port ' || (1024 + hash(i, 10) % 60000)
               || ' ssh2: RSA SHA256:abc'
           WHEN 2 THEN 'pam_unix(sshd:session): session opened for user deploy by (uid=0)'
           ELSE '(root) CMD (run-parts /etc/cron.hourly)' END AS SyslogMessage
FROM range($rows) AS r(i)
