// What a query may cost before it is evaluated. Real queries stay far below; hostile ones get an error, not a full stack.

/** Length of the query text. */
export const QUERY_BYTES_MAX = 1 << 20;

/** Levels of the syntax tree, and of the parser's recursion. Everything that walks a tree recurses once a level. */
export const DEPTH_MAX = 1000;
