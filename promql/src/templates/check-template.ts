// What Go finds wrong with a template while it parses, beyond its syntax: functions and variables that are not there.

import { TemplateError } from './lex-template.ts';
import type { Operand, Pipeline, Template, TemplateNode } from './parse-template.ts';

/** Throws TemplateError for the first name that is not known. */
export function checkNames({ nodes, defined }: Template, functions: ReadonlySet<string>): void {
  const check = new NameCheck(functions);
  check.nodes(nodes, ['$']);
  for (const body of defined.values()) check.nodes(body, ['$']);
}

class NameCheck {
  readonly #functions: ReadonlySet<string>;

  constructor(functions: ReadonlySet<string>) {
    this.#functions = functions;
  }

  /** Variables that a block declares end with it. */
  nodes(nodes: readonly TemplateNode[], variables: readonly string[]): void {
    const scope = [...variables];
    for (const node of nodes) this.#node(node, scope);
  }

  #node(node: TemplateNode, scope: string[]): void {
    switch (node.kind) {
      case 'text':
      case 'break':
      case 'continue':
        return;
      case 'action':
        this.#pipeline(node.pipeline, scope);
        return;
      case 'template':
        if (node.pipeline !== undefined) this.#pipeline(node.pipeline, scope);
        return;
      default: {
        const inner = [...scope];
        this.#pipeline(node.pipeline, inner);
        this.nodes(node.body, inner);
        this.nodes(node.otherwise, inner);
      }
    }
  }

  #pipeline({ variables, isDeclaration, commands }: Pipeline, scope: string[]): void {
    for (const { operand } of commands.flat()) this.#operand(operand, scope);
    if (isDeclaration) scope.push(...variables);
    else for (const name of variables) this.#variable(name, scope);
  }

  #operand(operand: Operand, scope: string[]): void {
    if (operand.kind === 'variable') this.#variable(operand.name, scope);
    if (operand.kind === 'pipeline') this.#pipeline(operand.pipeline, scope);
    if (operand.kind === 'function' && !this.#functions.has(operand.name))
      throw new TemplateError(`function "${operand.name}" not defined`);
  }

  #variable(name: string, scope: readonly string[]): void {
    if (!scope.includes(name)) throw new TemplateError(`undefined variable "${name}"`);
  }
}
