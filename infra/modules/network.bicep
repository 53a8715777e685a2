// A virtual network that the app is attached to, and in which the state and the storage account can be reached.

import { Names, Tags } from '../types.bicep'

@description('Required. Names of all resources.')
param names Names

@description('Required. Region of the resources.')
param location string

@description('Required. Tags for every resource.')
param tags Tags

var services = [
  {
    name: 'blob'
    endpointName: names.blobPrivateEndpoint
    accountId: resourceId('Microsoft.Storage/storageAccounts', names.storageAccount)
    groupId: 'blob'
    zoneName: 'privatelink.blob.${environment().suffixes.storage}'
  }
  {
    name: 'queue'
    endpointName: names.queuePrivateEndpoint
    accountId: resourceId('Microsoft.Storage/storageAccounts', names.storageAccount)
    groupId: 'queue'
    zoneName: 'privatelink.queue.${environment().suffixes.storage}'
  }
  {
    name: 'cosmos'
    endpointName: names.cosmosPrivateEndpoint
    accountId: names.cosmosAccountId
    groupId: 'Sql'
    zoneName: 'privatelink.documents.azure.com'
  }
]

resource virtualNetwork 'Microsoft.Network/virtualNetworks@2025-05-01' = {
  name: names.virtualNetwork
  location: location
  tags: tags
  properties: {
    addressSpace: {
      addressPrefixes: ['10.0.0.0/23']
    }
    // Subnets of their own resources would be dropped when the network is deployed again.
    subnets: [
      {
        name: 'app'
        properties: {
          addressPrefix: '10.0.0.0/24'
          delegations: [
            {
              name: 'flex-consumption'
              properties: {
                serviceName: 'Microsoft.App/environments'
              }
            }
          ]
        }
      }
      {
        name: 'endpoints'
        properties: {
          addressPrefix: '10.0.1.0/24'
          defaultOutboundAccess: false
        }
      }
    ]
  }
}

resource appSubnet 'Microsoft.Network/virtualNetworks/subnets@2025-05-01' existing = {
  parent: virtualNetwork
  name: 'app'
}

// One after the other, for two endpoints of one account must not be made at once.
@batchSize(1)
module endpoints 'private-endpoint.bicep' = [
  for service in services: {
    params: {
      names: names
      location: location
      tags: tags
      endpointName: service.endpointName
      service: service.name
      accountId: service.accountId
      groupId: service.groupId
      zoneName: service.zoneName
    }
    dependsOn: [virtualNetwork]
  }
]

@description('Resource id of the subnet for the function app.')
output appSubnetId string = appSubnet.id
