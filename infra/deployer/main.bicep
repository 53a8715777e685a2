// Who deploys from GitHub: an identity of its own, never the bot's, which signs in with the tokens that GitHub
// issues for one environment and holds no secret. A person runs this once, in a resource group of its own. The
// workflow never does, and could not: the identity may assign only the roles that the bot needs.

targetScope = 'resourceGroup'

@description('Optional. Region of the identities.')
param location string = resourceGroup().location

@description('Required. Resource group of the bot. It must exist already, and must not be the one that this is deployed to.')
param botResourceGroup string

@description('Required. How GitHub\'s tokens name the repository, such as "repo:OWNER/NAME"; newer repositories have ids in it. The repository\'s OIDC settings give it as "sub_claim_prefix".')
param subjectPrefix string

@description('Optional. The GitHub environment that deploys to that group.')
param environmentName string = 'production'

@description('Optional. Whether pull requests of the repository may ask Azure what they would change. They get an identity that can only read.')
param pullRequestsEnabled bool = false

var issuer = 'https://token.actions.githubusercontent.com'
var audiences = ['api://AzureADTokenExchange']

resource deployer 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-deploys-${environmentName}'
  location: location
}

resource deployerSignsIn 'Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials@2024-11-30' = {
  parent: deployer
  name: 'github'
  properties: {
    issuer: issuer
    subject: '${subjectPrefix}:environment:${environmentName}'
    audiences: audiences
  }
}

resource planner 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = if (pullRequestsEnabled) {
  name: 'id-plans-${environmentName}'
  location: location
}

resource plannerSignsIn 'Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials@2024-11-30' = if (pullRequestsEnabled) {
  parent: planner
  name: 'github'
  properties: {
    issuer: issuer
    subject: '${subjectPrefix}:pull_request'
    audiences: audiences
  }
}

module deployerRights 'deployer-rights.bicep' = {
  scope: resourceGroup(botResourceGroup)
  params: {
    identityId: deployer.id
    principalId: deployer.properties.principalId
  }
}

module plannerRights 'planner-rights.bicep' = if (pullRequestsEnabled) {
  scope: resourceGroup(botResourceGroup)
  params: {
    identityId: planner.id
    principalId: planner!.properties.principalId
  }
}

@description('What AZURE_CLIENT_ID is set to in the GitHub environment.')
output deployerClientId string = deployer.properties.clientId

@description('What AZURE_PLANNER_CLIENT_ID is set to in the GitHub repository. Empty: pull requests may not ask.')
output plannerClientId string = pullRequestsEnabled ? planner!.properties.clientId : ''
