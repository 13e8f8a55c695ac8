SELECT *,
       log_s ->> '$.requestObject.kind' AS k8skind,
       log_s ->> '$.requestObject.roleRef.name' AS k8sroleref,
       log_s ->> '$.user.username' AS k8suser,
       log_s ->> '$.sourceIPs[0]' AS k8sipaddress
FROM AzureDiagnostics
WHERE Category = 'kube-audit'
  AND log_s ->> '$.verb' = 'create'
  AND log_s ->> '$.requestObject.roleRef.name' = 'cluster-admin'
  AND log_s ->> '$.requestObject.kind' = 'ClusterRoleBinding'
