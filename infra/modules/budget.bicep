// Who hears when the resource group costs more than expected. A budget stops nothing; it writes.

import { Names } from '../types.bicep'

@description('Required. Names of all resources.')
param names Names

@description('Required. The most that a month should cost, in the currency of the subscription\'s bill.')
@minValue(1)
param amount int

@description('Required. First day of the month with which the budget begins. Azure does not let it change, so it is a part of the budget\'s name.')
param startDate string

@description('Required. Who gets the e-mails.')
param email string

resource budget 'Microsoft.Consumption/budgets@2026-06-01' = {
  name: names.budget
  properties: {
    category: 'Cost'
    amount: amount
    timeGrain: 'Monthly'
    timePeriod: {
      startDate: startDate
    }
    notifications: {
      spent: {
        enabled: true
        operator: 'GreaterThanOrEqualTo'
        threshold: 80
        thresholdType: 'Actual'
        contactEmails: [email]
      }
      expected: {
        enabled: true
        operator: 'GreaterThanOrEqualTo'
        threshold: 100
        thresholdType: 'Forecasted'
        contactEmails: [email]
      }
    }
  }
}
