// What a query may cost before it is evaluated. Real queries stay far below; hostile ones get an error, not a full stack.

/** Length of the query text. */
export const QUERY_BYTES_MAX = 1 << 20;

/** Parentheses, calls, signs and other things within things: the parser's recursion. */
export const NESTING_MAX = 400;

/** Levels of the syntax tree, where `a + b + c + …` counts one an operator. What walks a tree recurses once a level. */
export const DEPTH_MAX = 1000;
