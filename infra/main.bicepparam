// How this bot differs from the defaults in main.bicep. This file is kept with the code, so that everybody who
// deploys, and the workflow, deploys the same.
using './main.bicep'

// azd sets this variable; for all other tools, set it to the same value. "bot" was its value before they read it.
param environmentName = readEnvironmentVariable('AZURE_ENV_NAME', 'bot')

param alwaysReadyInstances = 0
param cosmosCapacity = 'serverless'
param networkAccess = 'public'
param alertEmail = ''
