/**
 * What each tool of the house does to the world, as far as limits ask: `none`, or `some`. A tool that is not here is not
 * known. The definitions stand with the tools; a spec beside them keeps both equal.
 */
export const TOOL_EFFECTS: ToolEffects = {
  analyze_customer_sentiment: 'none',
  attach_file_to_ticket: 'some',
  calculate_account_value: 'some',
  create_support_ticket: 'some',
  delete_customer: 'some',
  delete_records: 'some',
  export_data: 'some',
  get_customer_info: 'some',
  get_recent_customers: 'some',
  get_support_ticket: 'some',
  read_all_customers: 'some',
  read_customer: 'some',
  run_diagnostic: 'none',
  send_bulk_email: 'some',
  update_customer: 'some',
};

export type ToolEffects = Readonly<Record<string, 'none' | 'some'>>;

/** undefined = nobody knows such a tool */
export const effectsOf = (effects: ToolEffects, tool: string): 'none' | 'some' | undefined =>
  Object.hasOwn(effects, tool) ? effects[tool] : undefined;
