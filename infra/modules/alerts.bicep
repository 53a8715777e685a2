// What somebody should hear about. The queries are those of the dashboard.

import { Names, Tags } from '../types.bicep'

@description('Required. Names of all resources.')
param names Names

@description('Required. Region of the resources.')
param location string

@description('Required. Tags for every resource.')
param tags Tags

@description('Required. Who gets the e-mails.')
param email string

// "resolves": whether the alert may end by itself. It may not where silence says nothing: a quiet bot that is down has
// no failures either, and a reply that is missing is still missing when the window has moved on.
var queryAlerts = [
  {
    name: 'no-answers'
    description: 'People wrote to the bot, and it answered nobody.'
    severity: 0
    window: 'PT30M'
    query: loadTextContent('../queries/no-answers.kql')
    column: 'Sent'
    aggregation: 'Maximum'
    threshold: 0
    resolves: false
  }
  {
    name: 'channel-errors'
    description: 'A channel got no good answer to 3 messages or more, and to one in ten.'
    severity: 1
    window: 'PT15M'
    query: loadTextContent('../queries/channel-errors.kql')
    column: 'Errors'
    aggregation: 'Maximum'
    threshold: 0
    resolves: false
  }
  {
    name: 'failed-requests'
    description: 'The app answered 3 messages or more, and one in ten, with a server error.'
    severity: 1
    window: 'PT15M'
    query: loadTextContent('../queries/failed-requests.kql')
    column: 'Failures'
    aggregation: 'Maximum'
    threshold: 0
    resolves: false
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
    resolves: true
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
    resolves: false
  }
  {
    name: 'waiting-messages'
    description: 'A message that was accepted has been waiting for over 5 minutes.'
    severity: 1
    window: 'PT15M'
    query: loadTextContent('../queries/waiting-messages.kql')
    column: 'OldestS'
    aggregation: 'Maximum'
    threshold: 300
    resolves: false
  }
  {
    name: 'lost-bells'
    description: 'A reminder to look after a conversation failed five times: that is a fault of the app or of its rights.'
    severity: 1
    window: 'PT1H'
    query: loadTextContent('../queries/lost-bells.kql')
    column: 'Bells'
    aggregation: 'Maximum'
    threshold: 0
    resolves: false
  }
  {
    name: 'host-stops'
    description: 'The runtime stopped by itself, with all turns in it. Other instances take them up.'
    severity: 1
    window: 'PT1H'
    query: loadTextContent('../queries/host-stops.kql')
    column: 'Stops'
    aggregation: 'Maximum'
    threshold: 0
    resolves: false
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
      autoMitigate: alert.resolves
      // Azure refuses a mute time along with autoMitigate, and only when it is deployed.
      muteActionsDuration: alert.resolves ? null : 'PT1H'
      scopes: [workspace.id]
      // A new workspace does not know the tables yet, which come with the first log, and would refuse the queries.
      skipQueryValidation: true
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
