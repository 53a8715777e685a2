// How this bot differs from the defaults in main.bicep. It is kept with the code, so that everybody who
// deploys, and the workflow, deploys the same.
using './main.bicep'

// azd sets it; for the other tools, set it to the same. "bot" is what it was before they were told to.
param environmentName = readEnvironmentVariable('AZURE_ENV_NAME', 'bot')

param alwaysReadyInstances = 0
param cosmosCapacity = 'serverless'
param networkAccess = 'public'
param alertEmail = ''
