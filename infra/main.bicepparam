// How this bot differs from the defaults in main.bicep. It is kept with the code, so that everybody who
// deploys, and the workflow, deploys the same.
using './main.bicep'

// The name that azd was given; the other tools set none.
param environmentName = readEnvironmentVariable('AZURE_ENV_NAME', 'bot')

param alwaysReadyInstances = 0
param cosmosCapacity = 'serverless'
param privateNetwork = false
param alertEmail = ''
