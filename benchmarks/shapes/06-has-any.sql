SELECT DeviceName, count(*) AS Runs
FROM DeviceProcessEvents
WHERE regexp_matches(lower(ProcessCommandLine), '(^|[^a-z0-9])({alternatives})($|[^a-z0-9])')
GROUP BY DeviceName
