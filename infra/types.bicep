// Types that the templates share. They are apart because some readers of Bicep do not know all of what is here.

@export()
@description('Names of everything that a deployment makes. main.bicep makes them once, before the deployment starts, so that a preview of it knows every resource; modules find each other by these, not by outputs.')
type Names = {
  @description('Hash that makes names unique, for resources that are made from a list.')
  token: string

  identity: string
  workspace: string
  component: string
  storageAccount: string

  @description('Blob container that holds the deployed package.')
  deploymentContainer: string

  @description('Resource id of the Cosmos DB account of the state, which need not be in this resource group.')
  cosmosAccountId: string

  cosmosDatabase: string
  cosmosContainer: string
  virtualNetwork: string
  blobPrivateEndpoint: string
  cosmosPrivateEndpoint: string
  plan: string
  app: string
  bot: string
  actionGroup: string
  budget: string
}

@export()
@description('Tags of a resource, by name.')
type Tags = {
  *: string
}

@export()
@description('An application of Microsoft Entra that the bot signs people in with. Its secret is never a part of this.')
type SignIn = {
  @description('What the bot\'s code calls the connection.')
  name: string

  @description('Client id of the application.')
  clientId: string

  @description('Permissions that people are asked for, separated by spaces.')
  scopes: string

  @description('Application ID URI, for single sign-on in Teams.')
  tokenExchangeUrl: string?

  @description('Tenant whose people sign in. That of the deployment unless given.')
  tenantId: string?
}
