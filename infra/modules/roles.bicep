// Who may do what: the bot's identity, and nobody else, may do these three things.

@description('Required. Object id of the bot\'s identity.')
param principalId string

@description('Required. Storage account whose blobs the Functions runtime owns.')
param storageAccountName string

@description('Required. Cosmos DB account of the state.')
param cosmosAccountName string

@description('Required. The one database of that account that the bot may read and write.')
param cosmosDatabaseName string

@description('Required. Application Insights component that the bot sends telemetry to.')
param componentName string

// Azure's own role definitions.
var roleIds = {
  storageBlobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  monitoringMetricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb'
  cosmosDbDataContributor: '00000000-0000-0000-0000-000000000002'
}

resource storageAccount 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: storageAccountName
}

resource cosmosAccount 'Microsoft.DocumentDB/databaseAccounts@2025-10-15' existing = {
  name: cosmosAccountName
}

resource cosmosDataContributor 'Microsoft.DocumentDB/databaseAccounts/sqlRoleDefinitions@2025-10-15' existing = {
  parent: cosmosAccount
  name: roleIds.cosmosDbDataContributor
}

resource component 'Microsoft.Insights/components@2020-02-02' existing = {
  name: componentName
}

// The package, and the runtime's locks and keys. "Owner" because the runtime takes leases and sets ownership.
resource ownsBlobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(storageAccount.id, principalId, roleIds.storageBlobDataOwner)
  scope: storageAccount
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds.storageBlobDataOwner)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

// Telemetry, in place of the instrumentation key that the component refuses.
resource publishesTelemetry 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(component.id, principalId, roleIds.monitoringMetricsPublisher)
  scope: component
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds.monitoringMetricsPublisher)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

// Documents of the one database: no keys, no other database, and no management operation.
resource writesState 'Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments@2025-10-15' = {
  parent: cosmosAccount
  name: guid(cosmosAccount.id, principalId, roleIds.cosmosDbDataContributor)
  properties: {
    roleDefinitionId: cosmosDataContributor.id
    principalId: principalId
    scope: '${cosmosAccount.id}/dbs/${cosmosDatabaseName}'
  }
}
