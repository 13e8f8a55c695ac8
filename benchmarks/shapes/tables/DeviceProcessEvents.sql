SELECT TIMESTAMP '2026-03-01' + to_microseconds(CAST(i * (604800000000.0 / $rows) AS BIGINT)) AS TimeGenerated, 'device' || hash(i, 11) % 1000 AS DeviceName,
       CASE hash(i, 12) % 20
           WHEN 0 THEN 'powershell.exe -NoProfile -enc ' || substr(repeat(md5(CAST(hash(i, 13) % 300 AS VARCHAR)), 2), 1, 40)
           WHEN 1 THEN 'cmd.exe /c tool' || hash(i, 14) % 20000 || '.exe --quiet'
           WHEN 2 THEN 'C:\Windows\System32\svchost.exe -k netsvcs -p -s Schedule'
           ELSE '"C:\Program Files\App' || hash(i, 15) % 50 || '\app.exe" --type=renderer --lang=en --id=' || i
       END AS ProcessCommandLine
FROM range($rows) AS r(i)
