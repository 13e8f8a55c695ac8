SELECT * FROM AzureDiagnostics
WHERE Category = 'kube-audit' AND log_s ->> '$.verb' = 'create' AND log_s ->> '$.requestObject.kind' = 'CronJob'
