// Everything the bot has in Azure. The modules below are the inventory; roles.bicep and cosmos-role.bicep say who may
// do what.
// One identity owns every right, no resource accepts a key, and nothing here takes or returns a secret.

import { Names, SignIn, Tags } from 'types.bicep'

targetScope = 'resourceGroup'

@description('Optional. Region of every regional resource; it must offer Flex Consumption.')
param location string = resourceGroup().location

@description('Optional. Name of this environment, such as "test" or "production"; a part of the hash in all names, so another name means new resources.')
param environmentName string = resourceGroup().name

@description('Optional. The 13 characters at the end of all names. If given, they replace the hash, so that a bot that was deployed with another environmentName keeps its resources.')
@maxLength(13)
param nameToken string = ''

@description('Optional. What people see the bot called in its channels.')
@minLength(1)
@maxLength(42)
param botDisplayName string = 'State Management bot'

@description('Optional. F0 is free, with at most 10,000 Web Chat and Direct Line messages a month; S1 has no such limit.')
@allowed(['F0', 'S1'])
param botSku string = 'F0'

@description('Optional. Whether people reach the bot in Microsoft Teams.')
param teamsEnabled bool = true

@description('Optional. Whether people reach the bot in Web Chat, which is also the portal\'s test page.')
param webChatEnabled bool = true

@description('Optional. Whether other applications reach the bot over Direct Line.')
param directLineEnabled bool = false

@description('Optional. Whether secrets open Direct Line and Web Chat, for web pages that embed the bot with a secret. If false, only Microsoft Entra tokens open them.')
param localAuthEnabled bool = false

@description('Optional. Origins, such as "https://www.example.com", of the web pages that embed the bot. If given, Direct Line and Web Chat serve only these, and the page\'s own server vouches for the user\'s id.')
param trustedOrigins string[] = []

@description('Optional. The Microsoft Entra application that the bot signs people in with. Needs signInSecret.')
param signIn SignIn?

@description('Optional. Client secret of signIn. Take it from a key vault; it must not be in any file.')
@secure()
param signInSecret string = ''

@description('Optional. Memory of one instance in MB; 2048 comes with one CPU core, 512 with a quarter.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048

@description('Optional. The most instances that may run at once, which also bounds what they can cost.')
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int = 100

@description('Optional. Instances that are kept warm and paid for around the clock. 0: the first message after a pause waits for a cold start.')
@minValue(0)
@maxValue(100)
param alwaysReadyInstances int = 0

@description('Optional. Instances that are kept warm for turns that take longer than their request. 0: if the instance of such a turn dies, another one has to be started first.')
@minValue(0)
@maxValue(100)
param alwaysReadyBellInstances int = 0

@description('Optional. When to search for conversations that no process looks after, as an NCRONTAB expression of Azure Functions. With a longer period this costs less, and finds them later.')
@minLength(1)
param sweepSchedule string = '0 * * * * *'

@description('Optional. Requests that one instance serves before another is added. An instance accepts more; see docs/azure.md.')
@minValue(1)
@maxValue(1000)
param perInstanceConcurrency int = 16

@description('Optional. Whether a deployment replaces instances one after the other and lets their turns end, instead of all at once. This is a preview feature of Azure.')
param rollingUpdates bool = false

@description('Optional. Resource id of an existing Cosmos DB account, such as a restored one, to keep the state in. The database and the container must exist in it. Empty: an account is created.')
param existingCosmosAccountId string = ''

@description('Optional. Database of the state.')
@minLength(1)
param cosmosDatabaseName string = 'bot'

@description('Optional. Container of the state.')
@minLength(1)
param cosmosContainerName string = 'state'

@description('Optional. "serverless" is paid for by the request; "autoscale" by the hour, for a steady load.')
@allowed(['serverless', 'autoscale'])
param cosmosCapacity string = 'serverless'

@description('Optional. Upper limit of autoscale in RU/s, a multiple of 1000; a tenth of it is always paid. Serverless ignores it.')
@minValue(1000)
param cosmosMaxThroughput int = 1000

@description('Optional. Seconds after its last change that a state document is deleted. 0: never.')
@minValue(0)
param stateTtlSeconds int = 0

@description('Optional. Additional host names, comma-separated, that replies may be sent to besides the Bot Connector\'s own.')
param allowedServiceHosts string = ''

@description('Optional. How the state and storage accounts are reached. "public": over the internet, with the identity\'s rights. "private": only inside a virtual network made for them. Move a bot that is in use to "private" in two deployments, the first with "both"; otherwise it is cut off before it has joined the network.')
@allowed(['public', 'both', 'private'])
param networkAccess string = 'public'

@description('Optional. How many days logs and telemetry are kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 30

@description('Optional. The most GB of logs and telemetry that are ingested in a day; anything beyond is lost until the next day, and alerts do not see it. 0: no limit.')
@minValue(0)
param logDailyCapGB int = 0

@description('Optional. Who gets an e-mail when the bot is in trouble. Empty: no alert rules are created, and none are paid for.')
param alertEmail string = ''

@description('Optional. What a month should cost at most, in the currency of the subscription\'s bill. alertEmail gets a mail at 80 percent, and when the forecast exceeds the budget. 0: no budget.')
@minValue(0)
param monthlyBudget int = 0

@description('Optional. First day of the month with which the budget begins, such as "2026-12-01"; not before the month in which it is created. Another date creates another budget.')
param budgetStartDate string = ''

@description('Optional. Tags for every resource.')
param tags Tags = {}

var token = empty(nameToken) ? uniqueString(resourceGroup().id, environmentName) : nameToken
var allTags = union(tags, { 'azd-env-name': environmentName })
var manifestTemplate = loadTextContent('../teams/manifest.json')
var manifestBotId = '00000000-0000-0000-0000-000000000000'

var accountType = 'Microsoft.DocumentDB/databaseAccounts'
var hasAccountType = contains(toLower(existingCosmosAccountId), toLower(accountType))
var isAccountId = hasAccountType && length(split(existingCosmosAccountId, '/')) == 9
var isUsable = empty(existingCosmosAccountId) || isAccountId
var existingAccountId = isUsable ? existingCosmosAccountId : fail('existingCosmosAccountId is no account\'s id.')

var names Names = {
  token: token
  identity: 'id-${token}'
  workspace: 'log-${token}'
  component: 'appi-${token}'
  storageAccount: 'st${token}'
  deploymentContainer: 'deployments'
  // As BellFunction/function.json and shared/bells say; the runtime makes the second name of the first.
  bells: 'bells'
  poisonedBells: 'bells-poison'
  cosmosAccountId: empty(existingAccountId) ? resourceId(accountType, 'cosmos-${token}') : existingAccountId
  cosmosDatabase: cosmosDatabaseName
  cosmosContainer: cosmosContainerName
  virtualNetwork: 'vnet-${token}'
  blobPrivateEndpoint: 'pe-blob-${token}'
  queuePrivateEndpoint: 'pe-queue-${token}'
  cosmosPrivateEndpoint: 'pe-cosmos-${empty(existingAccountId) ? token : uniqueString(token, existingAccountId)}'
  plan: 'plan-${token}'
  app: 'func-${token}'
  bot: 'bot-${token}'
  actionGroup: 'ag-${token}'
  budget: 'budget-${token}-${budgetStartDate}'
}

// Modules know each other by name. So what must be there before them is said with dependsOn, unless an output says it.

module identity 'modules/identity.bicep' = {
  params: {
    names: names
    location: location
    tags: allTags
  }
}

module monitoring 'modules/monitoring.bicep' = {
  params: {
    names: names
    location: location
    tags: allTags
    retentionDays: logRetentionDays
    dailyCapGB: logDailyCapGB
  }
}

module storage 'modules/storage.bicep' = {
  params: {
    names: names
    location: location
    tags: allTags
    publicAccess: networkAccess != 'private'
  }
  dependsOn: [monitoring]
}

module cosmos 'modules/cosmos.bicep' = if (empty(existingAccountId)) {
  params: {
    names: names
    location: location
    tags: allTags
    publicAccess: networkAccess != 'private'
    capacity: cosmosCapacity
    maxThroughput: cosmosMaxThroughput
    ttlSeconds: stateTtlSeconds
  }
  dependsOn: [monitoring]
}

module roles 'modules/roles.bicep' = {
  params: {
    names: names
    #disable-next-line what-if-short-circuiting // another formula would collide with the assignments of a deployed bot
    principalId: identity.outputs.principalId
  }
  dependsOn: [monitoring, storage]
}

module cosmosRole 'modules/cosmos-role.bicep' = {
  scope: resourceGroup(split(names.cosmosAccountId, '/')[2], split(names.cosmosAccountId, '/')[4])
  params: {
    names: names
    #disable-next-line what-if-short-circuiting // another formula would collide with the assignment of a deployed bot
    principalId: identity.outputs.principalId
  }
  dependsOn: [cosmos]
}

// Not before the roles: an assignment and an endpoint that touch one Cosmos DB account at once are refused (412).
module network 'modules/network.bicep' = if (networkAccess != 'public') {
  params: {
    names: names
    location: location
    tags: allTags
  }
  dependsOn: [storage, roles, cosmosRole]
}

module functionApp 'modules/function-app.bicep' = {
  params: {
    names: names
    location: location
    tags: allTags
    cosmosEndpoint: cosmosRole.outputs.documentEndpoint
    allowedServiceHosts: allowedServiceHosts
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    alwaysReadyInstances: alwaysReadyInstances
    alwaysReadyBellInstances: alwaysReadyBellInstances
    sweepSchedule: sweepSchedule
    perInstanceConcurrency: perInstanceConcurrency
    rollingUpdates: rollingUpdates
    subnetId: (networkAccess != 'public') ? network!.outputs.appSubnetId : ''
  }
  // The app loads its package, and later its state, with rights that must exist by then.
  dependsOn: [roles]
}

module bot 'modules/bot.bicep' = {
  params: {
    names: names
    tags: allTags
    displayName: botDisplayName
    skuName: botSku
    endpoint: functionApp.outputs.messagesEndpoint
    teamsEnabled: teamsEnabled
    webChatEnabled: webChatEnabled
    directLineEnabled: directLineEnabled
    localAuthEnabled: localAuthEnabled
    trustedOrigins: trustedOrigins
  }
}

module signInConnection 'modules/sign-in.bicep' = if (signIn != null) {
  params: {
    names: names
    signIn: signIn!
    // An empty secret would be put over the one that works.
    secret: empty(signInSecret) ? fail('signIn needs signInSecret, at every deployment.') : signInSecret
  }
  dependsOn: [bot]
}

module dashboard 'modules/dashboard.bicep' = {
  params: {
    names: names
    location: location
    tags: allTags
    displayName: botDisplayName
  }
  dependsOn: [monitoring, cosmos]
}

module alerts 'modules/alerts.bicep' = if (!empty(alertEmail)) {
  params: {
    names: names
    location: location
    tags: allTags
    email: alertEmail
  }
  dependsOn: [monitoring, cosmos]
}

module budget 'modules/budget.bicep' = if (monthlyBudget > 0) {
  params: {
    names: names
    amount: max(monthlyBudget, 1)
    startDate: empty(budgetStartDate) ? fail('monthlyBudget needs budgetStartDate.') : budgetStartDate
    email: empty(alertEmail) ? fail('monthlyBudget needs alertEmail, to write to.') : alertEmail
  }
}

@description('Resource group that holds the bot; azd reads it by this name.')
output AZURE_RESOURCE_GROUP string = resourceGroup().name

@description('Name of the function app, for "func azure functionapp publish".')
output functionAppName string = names.app

@description('Name of the bot\'s registration.')
output botName string = names.bot

@description('Where the channels send their messages.')
output messagesEndpoint string = functionApp.outputs.messagesEndpoint

@description('The Teams app manifest with the bot\'s id filled in.')
#disable-next-line use-user-defined-types // Teams says what is in it, and a deployment only passes it on
output teamsManifest object = json(replace(manifestTemplate, manifestBotId, identity.outputs.clientId))
