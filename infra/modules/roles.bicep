// Who may do what in this resource group: the bot's identity, and nobody else, may do what is here. To read and write
// the state is in cosmos-role.bicep.

import { Names } from '../types.bicep'

@description('Required. Names of all resources.')
param names Names

@description('Required. Object id of the bot\'s identity.')
param principalId string

// Azure's own role definitions.
var roleIds = {
  storageBlobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  storageQueueDataContributor: '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
  monitoringMetricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb'
}
var roleDefinitions = 'Microsoft.Authorization/roleDefinitions'

resource storageAccount 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: names.storageAccount
}

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2025-06-01' existing = {
  parent: storageAccount
  name: 'default'
}

resource bells 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-06-01' existing = {
  parent: queueService
  name: names.bells
}

resource poisonedBells 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-06-01' existing = {
  parent: queueService
  name: names.poisonedBells
}

resource component 'Microsoft.Insights/components@2020-02-02' existing = {
  name: names.component
}

// The package, and the runtime's locks and keys. "Owner" because the runtime takes leases and sets ownership.
resource ownsBlobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(storageAccount.id, principalId, roleIds.storageBlobDataOwner)
  scope: storageAccount
  properties: {
    roleDefinitionId: subscriptionResourceId(roleDefinitions, roleIds.storageBlobDataOwner)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

// The bells. "Contributor" because the runtime also updates a message whose function failed, which the roles that are
// documented for the trigger do not allow, and one refusal stops the whole host.
resource ringsBells 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(bells.id, principalId, roleIds.storageQueueDataContributor)
  scope: bells
  properties: {
    roleDefinitionId: subscriptionResourceId(roleDefinitions, roleIds.storageQueueDataContributor)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

resource setsBellsAside 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(poisonedBells.id, principalId, roleIds.storageQueueDataContributor)
  scope: poisonedBells
  properties: {
    roleDefinitionId: subscriptionResourceId(roleDefinitions, roleIds.storageQueueDataContributor)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

// Telemetry, in place of the instrumentation key that the component refuses.
resource publishesTelemetry 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(component.id, principalId, roleIds.monitoringMetricsPublisher)
  scope: component
  properties: {
    roleDefinitionId: subscriptionResourceId(roleDefinitions, roleIds.monitoringMetricsPublisher)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}
