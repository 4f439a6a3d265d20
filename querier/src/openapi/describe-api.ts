// The OpenAPI 3.1 description of what the querier serves, made of the tables beside this file.

import { operations } from './operations.ts';
import type { Operation, Parameter } from './operations.ts';
import { answerOf, ref, schemas } from './schemas.ts';
import type { Schema } from './schemas.ts';

/** A description in JSON, which is YAML too. `base`: the path of the API. */
export function describeApi(base: string): string {
  const description = {
    openapi: '3.1.0',
    info: {
      title: 'Flotilla querier',
      description: "Prometheus's HTTP API over all shards of a fleet, and what is known of the fleet itself.",
      version: '1',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: base }],
    paths: Object.fromEntries(Object.entries(operations).map(([path, one]) => [path, methods(one)])),
    components: { schemas },
  };
  return `${JSON.stringify(description, undefined, 2)}\n`;
}

function methods(operation: Operation): Schema {
  const { tag, id, summary, parameters = [], asForm } = operation;
  const described = { tags: [tag], operationId: id, summary };
  const responses = responsesOf(operation);
  const form = {
    ...described,
    operationId: `${id}Form`,
    requestBody: { content: { 'application/x-www-form-urlencoded': { schema: formOf(parameters) } } },
    responses,
  };
  const get = { ...described, ...(parameters.length > 0 && { parameters }), responses };
  return { get, ...(asForm && { post: form }) };
}

function formOf(parameters: readonly Parameter[]): Schema {
  return {
    type: 'object',
    required: parameters.filter((one) => one.required).map(({ name }) => name),
    properties: Object.fromEntries(parameters.map(({ name, schema }) => [name, schema])),
  };
}

function responsesOf({ answer }: Operation): Schema {
  if (typeof answer === 'string')
    return { '200': { description: 'No envelope.', content: { [answer]: {} } } };
  return {
    '200': { description: 'What was asked for.', content: json(answerOf(answer)) },
    default: { description: 'What is wrong.', content: json(ref('Error')) },
  };
}

function json(schema: Schema): Schema {
  return { 'application/json': { schema } };
}
