SELECT log_s FROM AzureDiagnostics WHERE Category = 'kube-audit' AND log_s ->> '$.user.username' = 'masterclient'
