import type { ResourceTemplate } from '@portcullis/guard/mcp/resources';
import type { AnyTool } from '@portcullis/guard/tool';
import { readCustomer } from './tools/get-customer-info.js';

export const RESOURCES: readonly ResourceTemplate[] = [
  {
    uriTemplate: 'customer://{customer_id}',
    name: 'customer',
    title: 'Customer',
    description: 'One customer by id. Needs the scope customer:read.',
    mimeType: 'application/json',
    tool: readCustomer as AnyTool,
    pattern: /^customer:\/\/([A-Z0-9]{5,10})$/,
    argument: 'customer_id',
  },
];
