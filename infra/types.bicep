// Types that the templates share. They are apart because some readers of Bicep do not know all of what is here.

@export()
@description('Names of everything that a deployment makes. main.bicep makes them once, before the deployment starts, so that a preview of it knows every resource; modules find each other by these, not by outputs.')
type Names = {
  @description('Hash that makes names unique, for resources that are made from a list.')
  token: string

  @description('The identity that the bot is.')
  identity: string

  @description('Log Analytics workspace.')
  workspace: string

  @description('Application Insights component.')
  component: string

  @description('Storage account of the Functions runtime.')
  storageAccount: string

  @description('Blob container that holds the deployed package.')
  deploymentContainer: string

  @description('Queue of the bells: reminders to look after a conversation whose turn takes long.')
  bells: string

  @description('Queue that the runtime moves bells to that fail again and again.')
  poisonedBells: string

  @description('Resource id of the Cosmos DB account of the state, which need not be in this resource group.')
  cosmosAccountId: string

  @description('Database of the state.')
  cosmosDatabase: string

  @description('Container of the state.')
  cosmosContainer: string

  @description('Virtual network, where there is one.')
  virtualNetwork: string

  @description('Private endpoint of the storage account\'s blobs.')
  blobPrivateEndpoint: string

  @description('Private endpoint of the storage account\'s queues.')
  queuePrivateEndpoint: string

  @description('Private endpoint of the state. Another account gets another one.')
  cosmosPrivateEndpoint: string

  @description('Flex Consumption plan.')
  plan: string

  @description('Function app.')
  app: string

  @description('Registration with Azure Bot Service.')
  bot: string

  @description('Who the alerts write to.')
  actionGroup: string

  @description('Budget of the resource group.')
  budget: string
}

@export()
@description('Tags of a resource, by name.')
type Tags = {
  @description('The tag\'s value.')
  *: string
}

@export()
@description('A Microsoft Entra application that the bot signs people in with. Its secret is never a part of this.')
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
