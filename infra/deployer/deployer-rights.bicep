// What the identity that deploys may do: everything in the bot's resource group, but assign no role except those
// that modules/roles.bicep assigns. So it can neither widen its own rights nor give anybody else some.

@description('Required. Resource id of the identity.')
param identityId string

@description('Required. Object id of the identity.')
param principalId string

// Azure's own role definitions.
var roleIds = {
  contributor: 'b24988ac-6180-42a0-ab88-20f7382dd24c'
  rbacAdministrator: 'f58310d9-a9f6-439a-9e8d-f62e7b41a168'
}

var assignableRoleIds = {
  storageBlobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  storageQueueDataContributor: '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
  monitoringMetricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb'
}

var storageRoles = '${assignableRoleIds.storageBlobDataOwner}, ${assignableRoleIds.storageQueueDataContributor}'
var roleList = '${storageRoles}, ${assignableRoleIds.monitoringMetricsPublisher}'
var assignments = 'Microsoft.Authorization/roleAssignments'
var isNoWrite = '!(ActionMatches{\'${assignments}/write\'})'
var writesOneOfThem = '@Request[${assignments}:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {${roleList}}'
var writesForService = '@Request[${assignments}:PrincipalType] StringEqualsIgnoreCase \'ServicePrincipal\''
var isNoDeletion = '!(ActionMatches{\'${assignments}/delete\'})'
var deletesOneOfThem = '@Resource[${assignments}:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {${roleList}}'
var mayWrite = '(${isNoWrite}) OR (${writesOneOfThem} AND ${writesForService})'
var mayDelete = '(${isNoDeletion}) OR (${deletesOneOfThem})'

resource deploys 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(resourceGroup().id, identityId, roleIds.contributor)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds.contributor)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

resource assignsTheBotsRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(resourceGroup().id, identityId, roleIds.rbacAdministrator)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds.rbacAdministrator)
    principalId: principalId
    principalType: 'ServicePrincipal'
    conditionVersion: '2.0'
    condition: '(${mayWrite}) AND (${mayDelete})'
  }
}
