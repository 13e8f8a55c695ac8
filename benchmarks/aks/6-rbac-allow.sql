SELECT log_s FROM AzureDiagnostics
WHERE Category = 'kube-audit'
  AND log_s ->> '$.verb' = 'create'
  AND log_s ->> '$.annotations."authorization.k8s.io/decision"' = 'allow'
