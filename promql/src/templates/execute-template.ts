// Runs a parsed template. Bounded: steps and output; a hostile template fails, it does not hang.

import { Float, formatValue, typeName, ValueMap } from './format-value.ts';
import type { Value } from './format-value.ts';
import { TemplateError } from './lex-template.ts';
import type { Operand, Pipeline, Template, TemplateNode, Term } from './parse-template.ts';

export type TemplateFunction = (args: readonly Value[]) => Value | Promise<Value>;

const stepsMax = 100_000;
const outputLengthMax = 1 << 20;
const templateDepthMax = 100;

/** Executes with `.` and `$` set to `data`. Throws TemplateError in Go's form: `template: name:line: executing … : reason`. */
export async function executeTemplate(
  name: string,
  template: Template,
  data: Value,
  functions: ReadonlyMap<string, TemplateFunction>,
): Promise<string> {
  const execution = new Execution(name, template, functions);
  await execution.run(template.nodes, data, new Scope([['$', data]]), 0);
  return execution.output;
}

class Scope {
  readonly #values: Map<string, Value>;
  readonly #parent: Scope | undefined;

  constructor(values: Iterable<readonly [string, Value]> = [], parent?: Scope) {
    this.#values = new Map(values);
    this.#parent = parent;
  }

  inner(): Scope {
    return new Scope([], this);
  }

  declare(name: string, value: Value): void {
    this.#values.set(name, value);
  }

  /** False when there is no such variable. */
  assign(name: string, value: Value): boolean {
    if (!this.#values.has(name)) return this.#parent?.assign(name, value) ?? false;
    this.#values.set(name, value);
    return true;
  }

  get(name: string): { readonly value: Value } | undefined {
    if (this.#values.has(name)) return { value: this.#values.get(name) };
    return this.#parent?.get(name);
  }
}

type Signal = 'break' | 'continue' | undefined;

class Execution {
  output = '';
  readonly #name: string;
  readonly #template: Template;
  readonly #functions: ReadonlyMap<string, TemplateFunction>;
  #steps = 0;
  #line = 1;

  constructor(name: string, template: Template, functions: ReadonlyMap<string, TemplateFunction>) {
    this.#name = name;
    this.#template = template;
    this.#functions = functions;
  }

  async run(nodes: readonly TemplateNode[], dot: Value, scope: Scope, depth: number): Promise<Signal> {
    for (const node of nodes) {
      if (++this.#steps > stepsMax) this.#fail(`more than ${stepsMax} steps`);
      const signal = await this.#node(node, dot, scope, depth);
      if (signal !== undefined) return signal;
    }
    return undefined;
  }

  async #node(node: TemplateNode, dot: Value, scope: Scope, depth: number): Promise<Signal> {
    if ('line' in node) this.#line = node.line;
    switch (node.kind) {
      case 'text':
        this.#write(node.text);
        return undefined;
      case 'action': {
        const value = await this.#pipeline(node.pipeline, dot, scope);
        if (node.pipeline.variables.length === 0) this.#write(formatValue(value));
        return undefined;
      }
      case 'if':
      case 'with':
        return this.#branch(node, dot, scope, depth);
      case 'range':
        return this.#range(node, dot, scope, depth);
      case 'template':
        await this.#call(node, dot, scope, depth);
        return undefined;
      case 'break':
      case 'continue':
        return node.kind;
    }
  }

  async #branch(
    node: TemplateNode & { kind: 'if' | 'with' | 'range' },
    dot: Value,
    scope: Scope,
    depth: number,
  ): Promise<Signal> {
    const inner = scope.inner();
    const value = await this.#pipeline(node.pipeline, dot, inner);
    if (isTrue(value)) return this.run(node.body, node.kind === 'with' ? value : dot, inner, depth);
    return this.run(node.otherwise, dot, inner, depth);
  }

  async #range(
    node: TemplateNode & { kind: 'if' | 'with' | 'range' },
    dot: Value,
    scope: Scope,
    depth: number,
  ): Promise<Signal> {
    const inner = scope.inner();
    const over = await this.#pipeline({ ...node.pipeline, variables: [] }, dot, inner);
    const items = this.#itemsOf(over);
    if (items.length === 0) return this.run(node.otherwise, dot, inner, depth);
    const { variables } = node.pipeline;
    for (const [key, value] of items) {
      const round = inner.inner();
      if (variables.length === 1) round.declare(variables[0]!, value);
      if (variables.length === 2) {
        round.declare(variables[0]!, key);
        round.declare(variables[1]!, value);
      }
      if ((await this.run(node.body, value, round, depth)) === 'break') break;
    }
    return undefined;
  }

  #itemsOf(over: Value): (readonly [Value, Value])[] {
    if (over === undefined) return [];
    if (Array.isArray(over)) return (over as readonly Value[]).map((value, index) => [index, value] as const);
    if (over instanceof ValueMap) return [...over.entries].toSorted(([a], [b]) => (a < b ? -1 : 1));
    if (typeof over === 'number' && over <= stepsMax)
      return Array.from({ length: Math.max(0, over) }, (_, index) => [index, index] as const);
    return this.#fail(`range can't iterate over ${formatValue(over)}`);
  }

  async #call(
    node: TemplateNode & { kind: 'template' },
    dot: Value,
    scope: Scope,
    depth: number,
  ): Promise<void> {
    const nodes = this.#template.defined.get(node.name);
    if (nodes === undefined) this.#fail(`template ${JSON.stringify(node.name)} not defined`);
    if (depth > templateDepthMax) this.#fail('exceeded maximum template depth');
    const data = node.pipeline === undefined ? undefined : await this.#pipeline(node.pipeline, dot, scope);
    await this.run(nodes, data, new Scope([['$', data]]), depth + 1);
  }

  async #pipeline(
    { commands, variables, isDeclaration }: Pipeline,
    dot: Value,
    scope: Scope,
  ): Promise<Value> {
    let value: Value;
    for (let index = 0; index < commands.length; index++) {
      value = await this.#command(commands[index]!, index === 0 ? [] : [value], dot, scope);
    }
    for (const variable of variables) {
      if (isDeclaration) scope.declare(variable, value);
      else if (!scope.assign(variable, value)) this.#fail(`undefined variable ${JSON.stringify(variable)}`);
    }
    return value;
  }

  /** A function with its arguments, the piped value last; or a single value. */
  async #command(terms: readonly Term[], piped: readonly Value[], dot: Value, scope: Scope): Promise<Value> {
    const [first, ...rest] = terms as [Term, ...Term[]];
    if (first.operand.kind !== 'function') {
      if (rest.length > 0 || piped.length > 0) this.#fail("can't give argument to non-function");
      return this.#term(first, dot, scope);
    }
    const { name } = first.operand;
    if (name === 'and' || name === 'or') return this.#shortCircuit(name, rest, piped, dot, scope);
    const args: Value[] = [];
    for (const term of rest) args.push(await this.#term(term, dot, scope));
    return this.#fields(await this.#apply(name, [...args, ...piped]), first.fields);
  }

  async #shortCircuit(
    name: 'and' | 'or',
    terms: readonly Term[],
    piped: readonly Value[],
    dot: Value,
    scope: Scope,
  ): Promise<Value> {
    let value: Value;
    for (const term of terms) {
      value = await this.#term(term, dot, scope);
      if (isTrue(value) === (name === 'or')) return value;
    }
    return piped.length > 0 ? piped[0] : value;
  }

  async #apply(name: string, args: readonly Value[]): Promise<Value> {
    const call = this.#functions.get(name);
    if (call === undefined) this.#fail(`function ${JSON.stringify(name)} not defined`);
    try {
      return await call(args);
    } catch (error) {
      return this.#fail(`executing at <${name}>: error calling ${name}: ${(error as Error).message}`);
    }
  }

  async #term({ operand, fields }: Term, dot: Value, scope: Scope): Promise<Value> {
    return this.#fields(await this.#operand(operand, dot, scope), fields);
  }

  async #operand(operand: Operand, dot: Value, scope: Scope): Promise<Value> {
    switch (operand.kind) {
      case 'dot':
        return dot;
      case 'constant':
        return operand.value;
      case 'literal':
        return operand.isFloat ? new Float(operand.value as number) : operand.value;
      case 'variable': {
        const found = scope.get(operand.name);
        if (found === undefined) this.#fail(`undefined variable ${JSON.stringify(operand.name)}`);
        return found.value;
      }
      case 'function':
        return this.#apply(operand.name, []);
      case 'pipeline':
        return this.#pipeline(operand.pipeline, dot, scope);
    }
  }

  #fields(value: Value, fields: readonly string[]): Value {
    let current = value;
    for (const field of fields) {
      if (!(current instanceof ValueMap))
        this.#fail(`can't evaluate field ${field} in type ${typeName(current)}`);
      const map = current;
      current = map.entries.has(field) ? map.entries.get(field) : map.zero;
    }
    return current;
  }

  #write(text: string): void {
    this.output += text;
    if (this.output.length > outputLengthMax) this.#fail(`output longer than ${outputLengthMax}`);
  }

  #fail(reason: string): never {
    throw new TemplateError(`template: ${this.#name}:${this.#line}: ${reason}`);
  }
}

/** Go's truth: false, 0, nil and empty are not. */
export function isTrue(value: Value): boolean {
  if (value instanceof Float) return value.value !== 0;
  if (value instanceof ValueMap) return value.entries.size > 0;
  if (Array.isArray(value)) return value.length > 0;
  return Boolean(value);
}
