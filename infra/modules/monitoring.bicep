// Where logs, metrics and traces go. Telemetry is accepted only from an identity, not with a connection string alone.

import { Names, Tags } from '../types.bicep'

@description('Required. Names of all resources.')
param names Names

@description('Required. Region of the resources.')
param location string

@description('Required. Tags for every resource.')
param tags Tags

@description('Required. How many days everything is kept.')
@minValue(30)
@maxValue(730)
param retentionDays int

@description('Required. The most GB that are ingested in a day. 0: no limit.')
@minValue(0)
param dailyCapGB int

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' = {
  name: names.workspace
  location: location
  tags: tags
  properties: {
    sku: {
      name: 'PerGB2018'
    }
    retentionInDays: retentionDays
    workspaceCapping: {
      dailyQuotaGb: (dailyCapGB > 0) ? dailyCapGB : -1
    }
    features: {
      disableLocalAuth: true
      enableLogAccessUsingOnlyResourcePermissions: true
    }
  }
}

resource component 'Microsoft.Insights/components@2020-02-02' = {
  name: names.component
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    DisableLocalAuth: true
  }
}
