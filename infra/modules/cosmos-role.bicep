// The bot's right to its state, in the resource group of the account, wherever that is.

import { Names } from '../types.bicep'

@description('Required. Names of all resources.')
param names Names

@description('Required. Object id of the bot\'s identity.')
param principalId string

// Cosmos DB's own role definitions.
var roleIds = {
  cosmosDbDataContributor: '00000000-0000-0000-0000-000000000002'
}

resource account 'Microsoft.DocumentDB/databaseAccounts@2025-10-15' existing = {
  name: last(split(names.cosmosAccountId, '/'))
}

resource dataContributor 'Microsoft.DocumentDB/databaseAccounts/sqlRoleDefinitions@2025-10-15' existing = {
  parent: account
  name: roleIds.cosmosDbDataContributor
}

// Documents of the one database: no keys, no other database, and no management operation.
resource writesState 'Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments@2025-10-15' = {
  parent: account
  name: guid(names.cosmosAccountId, principalId, roleIds.cosmosDbDataContributor)
  properties: {
    roleDefinitionId: dataContributor.id
    principalId: principalId
    scope: '${names.cosmosAccountId}/dbs/${names.cosmosDatabase}'
  }
}

@description('Address of the account.')
output documentEndpoint string = account.properties.documentEndpoint
