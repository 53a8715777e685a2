// All that is optional, on. Nobody deploys this: it is for .github/workflows/infra.yml, which shows what a change of
// the templates would make of it.
using './main.bicep'

param environmentName = 'everything-on'
param location = 'westeurope'
param botSku = 'S1'
param directLineEnabled = true
param localAuthEnabled = true
param trustedOrigins = ['https://www.example.com']
param signIn = {
  name: 'graph'
  clientId: '00000000-0000-0000-0000-000000000000'
  scopes: 'openid profile User.Read'
}
param signInSecret = readEnvironmentVariable('SIGN_IN_SECRET', '')
param alwaysReadyInstances = 1
param alwaysReadyBellInstances = 1
param maximumInstanceCount = 10
param rollingUpdates = true
param cosmosCapacity = 'autoscale'
param stateTtlSeconds = 7776000
param allowedServiceHosts = 'channel.example.com'
param networkAccess = 'private'
param logRetentionDays = 90
param logDailyCapGB = 1
param alertEmail = 'operator@example.com'
param monthlyBudget = 50
param budgetStartDate = '2026-12-01'
param tags = {
  team: 'bots'
}
