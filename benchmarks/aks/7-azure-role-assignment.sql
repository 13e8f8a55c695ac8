SELECT *, RoleDef, Caller AS AccountCustomEntity, CallerIpAddress AS IPCustomEntity, HTTPRequest AS URLCustomEntity, _ResourceId AS HostCustomEntity
FROM (
  SELECT *, (Properties ->> '$.requestbody') ->> '$.Properties.RoleDefinitionId' AS RoleDef
  FROM AzureActivity
  WHERE lower(OperationNameValue) = 'microsoft.authorization/roleassignments/write' OR OperationName = 'Create role assignment'
)
WHERE RoleDef ILIKE '%8e3af657-a8ff-443c-a75c-2fe8c4bcb635%' OR RoleDef ILIKE '%b24988ac-6180-42a0-ab88-20f7382dd24c%'
