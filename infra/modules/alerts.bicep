// What somebody should hear about. The queries are those of the dashboard.

import { Names, Tags } from '../types.bicep'

@description('Required. Names of everything that is made.')
param names Names

@description('Required. Region of the resources.')
param location string

@description('Required. Tags for every resource.')
param tags Tags

@description('Required. Who gets the e-mails.')
param email string

var queryAlerts = [
  {
    name: 'failed-requests'
    description: 'Over 5 messages in 15 minutes were answered with a server error.'
    severity: 1
    window: 'PT15M'
    query: loadTextContent('../queries/failed-requests.kql')
    column: 'Failures'
    aggregation: 'Total'
    threshold: 5
  }
  {
    name: 'slow-turns'
    description: 'One turn in twenty took over 5 seconds; channels give up after 15.'
    severity: 2
    window: 'PT15M'
    query: loadTextContent('../queries/slow-turns.kql')
    column: 'P95Ms'
    aggregation: 'Maximum'
    threshold: 5000
  }
  {
    name: 'unsettled-turns'
    description: 'A turn was committed over a minute ago and its replies are not known to have arrived.'
    severity: 1
    window: 'PT1H'
    query: loadTextContent('../queries/unsettled-turns.kql')
    column: 'Turns'
    aggregation: 'Maximum'
    threshold: 0
  }
]

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = {
  name: names.workspace
}

resource recipients 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: names.actionGroup
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'bot'
    enabled: true
    emailReceivers: [
      {
        name: 'email'
        emailAddress: email
        useCommonAlertSchema: true
      }
    ]
  }
}

resource queryRules 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = [
  for alert in queryAlerts: {
    name: '${alert.name}-${names.token}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: 'Bot: ${alert.name}'
      description: alert.description
      severity: alert.severity
      enabled: true
      autoMitigate: true
      scopes: [workspace.id]
      evaluationFrequency: 'PT5M'
      windowSize: alert.window
      criteria: {
        allOf: [
          {
            query: alert.query
            timeAggregation: alert.aggregation
            metricMeasureColumn: alert.column
            operator: 'GreaterThan'
            threshold: alert.threshold
            failingPeriods: {
              numberOfEvaluationPeriods: 1
              minFailingPeriodsToAlert: 1
            }
          }
        ]
      }
      actions: {
        actionGroups: [recipients.id]
      }
    }
  }
]

resource throttledStore 'Microsoft.Insights/metricAlerts@2026-01-01' = {
  name: 'throttled-store-${names.token}'
  location: 'global'
  tags: tags
  properties: {
    description: 'Cosmos DB refused over 10 requests in 5 minutes (429): its throughput limit is too low for the load.'
    severity: 2
    enabled: true
    autoMitigate: true
    scopes: [names.cosmosAccountId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT5M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          name: 'throttled'
          criterionType: 'StaticThresholdCriterion'
          metricNamespace: 'Microsoft.DocumentDB/databaseAccounts'
          metricName: 'TotalRequests'
          dimensions: [
            {
              name: 'StatusCode'
              operator: 'Include'
              values: ['429']
            }
          ]
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 10
        }
      ]
    }
    actions: [
      {
        actionGroupId: recipients.id
      }
    ]
  }
}
