SELECT part.User, part.SourceIP, count(*) AS Failures, max(CAST(part.Port AS INTEGER)) AS HighestPort
FROM (
    SELECT regexp_extract(SyslogMessage, '^Failed password for (.*?) from (.*?) port ([0-9]+) ', ['User', 'SourceIP', 'Port']) AS part
    FROM Syslog
    WHERE ProcessName = 'sshd' AND SyslogMessage ILIKE 'Failed password%'
)
GROUP BY ALL
