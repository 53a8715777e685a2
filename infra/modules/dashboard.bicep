// A workbook with the bot's figures: open it from the Log Analytics workspace, under "Workbooks".

import { Names, Tags } from '../types.bicep'

@description('Required. Names of all resources.')
param names Names

@description('Required. Region of the resources.')
param location string

@description('Required. Tags for every resource.')
param tags Tags

@description('Required. What people see the bot called.')
param displayName string

var hourMs = 3600000

var charts = [
  {
    title: 'Turns, and how long they took'
    query: loadTextContent('../queries/turns.kql')
    visualization: 'timechart'
  }
  {
    title: 'Answers by HTTP status'
    query: loadTextContent('../queries/answers.kql')
    visualization: 'barchart'
  }
  {
    title: 'Server errors'
    query: loadTextContent('../queries/server-errors.kql')
    visualization: 'table'
  }
  {
    title: 'Warnings and errors in the log'
    query: loadTextContent('../queries/logged-errors.kql')
    visualization: 'timechart'
  }
  {
    title: 'Turns whose replies are not known to have arrived'
    query: loadTextContent('../queries/unsettled-turns.kql')
    visualization: 'table'
  }
]

var timeRange = [
  {
    type: 9
    name: 'time-range'
    content: {
      version: 'KqlParameterItem/1.0'
      style: 'pills'
      parameters: [
        {
          id: guid('time-range')
          version: 'KqlParameterItem/1.0'
          name: 'TimeRange'
          label: 'Time range'
          type: 4
          isRequired: true
          value: {
            durationMs: 24 * hourMs
          }
          typeSettings: {
            selectableValues: [
              { durationMs: hourMs }
              { durationMs: 24 * hourMs }
              { durationMs: 7 * 24 * hourMs }
              { durationMs: 30 * 24 * hourMs }
            ]
            allowCustom: true
          }
        }
      ]
    }
  }
]

var queryItems = [
  for chart in charts: {
    type: 3
    name: chart.title
    content: {
      version: 'KqlItem/1.0'
      title: chart.title
      query: chart.query
      visualization: chart.visualization
      size: 0
      timeContextFromParameter: 'TimeRange'
      queryType: 0
      resourceType: 'microsoft.operationalinsights/workspaces'
    }
  }
]

var stateItems = [
  {
    type: 10
    name: 'state'
    content: {
      version: 'MetricsItem/2.0'
      title: 'Request units of the state'
      chartId: guid('request-units')
      chartType: 2
      size: 0
      metricScope: 0
      resourceType: 'microsoft.documentdb/databaseaccounts'
      resourceIds: [names.cosmosAccountId]
      timeContextFromParameter: 'TimeRange'
      metrics: [
        {
          namespace: 'microsoft.documentdb/databaseaccounts'
          metric: 'microsoft.documentdb/databaseaccounts-Requests-TotalRequestUnits'
          aggregation: 1
        }
      ]
    }
  }
]

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = {
  name: names.workspace
}

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(workspace.id, 'bot')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: displayName
    category: 'workbook'
    sourceId: workspace.id
    serializedData: string({
      version: 'Notebook/1.0'
      items: concat(timeRange, queryItems, stateItems)
      fallbackResourceIds: [workspace.id]
    })
  }
}
