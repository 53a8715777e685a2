// Where state lives. The app never creates a database or a container (its role does not allow it), so they are made here.

import { Names, Tags } from '../types.bicep'

@description('Required. Names of all resources.')
param names Names

@description('Required. Region of the resources.')
param location string

@description('Required. Tags for every resource.')
param tags Tags

@description('Required. Whether the account answers outside of its private endpoint.')
param publicAccess bool

@description('Required. How requests are paid for.')
@allowed(['serverless', 'autoscale'])
param capacity string

@description('Required. Upper limit of autoscale in RU/s. Serverless ignores it.')
@minValue(1000)
param maxThroughput int

@description('Required. Seconds after its last change that a document is deleted. 0: never.')
@minValue(0)
param ttlSeconds int

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = {
  name: names.workspace
}

resource account 'Microsoft.DocumentDB/databaseAccounts@2025-10-15' = {
  // checkov:skip=CKV_AZURE_99:closed by the networkAccess parameter; without it the account accepts Microsoft Entra identities only
  // checkov:skip=CKV_AZURE_101:closed by the networkAccess parameter; the scan does not evaluate conditions
  name: last(split(names.cosmosAccountId, '/'))
  location: location
  tags: tags
  kind: 'GlobalDocumentDB'
  properties: {
    databaseAccountOfferType: 'Standard'
    locations: [
      {
        locationName: location
        failoverPriority: 0
        isZoneRedundant: false
      }
    ]
    // Each region would say yes to its own writer, and a turn that was answered would be dropped (docs/region-loss.md).
    enableMultipleWriteLocations: false
    consistencyPolicy: {
      defaultConsistencyLevel: 'Session'
    }
    capabilities: (capacity == 'serverless') ? [{ name: 'EnableServerless' }] : []
    backupPolicy: {
      type: 'Continuous'
      continuousModeProperties: {
        tier: 'Continuous7Days'
      }
    }
    disableKeyBasedMetadataWriteAccess: true
    disableLocalAuth: true
    minimalTlsVersion: 'Tls12'
    publicNetworkAccess: publicAccess ? 'Enabled' : 'Disabled'
  }
}

resource database 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases@2025-10-15' = {
  parent: account
  name: names.cosmosDatabase
  properties: {
    resource: {
      id: names.cosmosDatabase
    }
  }
}

resource container 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers@2025-10-15' = {
  parent: database
  name: names.cosmosContainer
  properties: {
    resource: {
      id: names.cosmosContainer
      partitionKey: {
        kind: 'Hash'
        paths: ['/id']
        version: 2
      }
      // Documents are read by their id, so an index of anything else would be paid for on every write and never used.
      // But one field says that a conversation has a turn to finish. The sweep looks for it every minute, and documents
      // without it, which is all of them between two turns, are not in its index. The quotation marks are for the "$".
      // Not indexingMode "none": a time to live needs the consistent one.
      indexingPolicy: {
        automatic: true
        indexingMode: 'consistent'
        includedPaths: [
          {
            path: '/document/"$turns"/open/?'
          }
        ]
        excludedPaths: [
          {
            path: '/*'
          }
        ]
      }
      // null, not -1: with -1 a document could still ask for a time to live of its own.
      defaultTtl: (ttlSeconds == 0) ? null : ttlSeconds
    }
    options: (capacity == 'autoscale') ? { autoscaleSettings: { maxThroughput: maxThroughput } } : {}
  }
}

#disable-next-line use-recent-api-versions // the stable version has no categories
resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-log-analytics'
  scope: account
  properties: {
    workspaceId: workspace.id
    logAnalyticsDestinationType: 'Dedicated'
    logs: [
      {
        // Who changed the account. Data plane requests are left out: four a turn would cost more than the turns.
        category: 'ControlPlaneRequests'
        enabled: true
      }
    ]
  }
}
