// What a pull request may do: read the bot's resource group, and ask what a deployment would change there.

@description('Required. Resource id of the identity.')
param identityId string

@description('Required. Object id of the identity.')
param principalId string

// Azure has no role for this. Asking what a deployment would change is an action, which "Reader" lacks.
resource planner 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(resourceGroup().id, 'planner')
  properties: {
    roleName: 'Planner of deployments to ${resourceGroup().name}'
    description: 'Reads a resource group, and asks what a deployment to it would change.'
    type: 'customRole'
    permissions: [
      {
        actions: [
          '*/read'
          'Microsoft.Resources/deployments/validate/action'
          'Microsoft.Resources/deployments/whatIf/action'
        ]
      }
    ]
    assignableScopes: [resourceGroup().id]
  }
}

resource plans 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(resourceGroup().id, identityId, planner.name)
  properties: {
    roleDefinitionId: planner.id
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}
