SELECT log_s FROM AzureDiagnostics WHERE Category = 'kube-audit' AND log_s ->> '$.sourceIPs[0]' = '192.168.1.1'
