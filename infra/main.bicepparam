// Read by `azd`; `az deployment group create --parameters infra/main.bicepparam` takes it as well.
// Set a value for one azd environment with, for example, `azd env set ALERT_EMAIL ops@example.com`.
using './main.bicep'

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME', 'bot')
param alwaysReadyInstances = int(readEnvironmentVariable('ALWAYS_READY_INSTANCES', '0'))
param cosmosCapacity = readEnvironmentVariable('COSMOS_CAPACITY', 'serverless')
param privateNetwork = bool(readEnvironmentVariable('PRIVATE_NETWORK', 'false'))
param alertEmail = readEnvironmentVariable('ALERT_EMAIL', '')
