SELECT DeviceName, Encoded, count(*) AS Runs
FROM (
    SELECT DeviceName, regexp_extract(ProcessCommandLine, '(?i)-e[nc]*\s+([A-Za-z0-9+/=]{20,})', 1) AS Encoded
    FROM DeviceProcessEvents
)
WHERE Encoded <> ''
GROUP BY ALL
