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
  plan: string
  app: string
  bot: string
  actionGroup: string
}

@export()
@description('Tags of a resource, by name.')
type Tags = {
  *: string
}
