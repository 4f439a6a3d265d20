// Parts of a date, in UTC, of a time in seconds.

/** The calendar repeats after 400 years. */
const CYCLE_SECONDS = 146_097 * 86_400;
const CYCLE_YEARS = 400;
const INT64_LIMIT = 2 ** 63;

/** Seconds as Go converts them to an integer: what does not fit, NaN too, becomes a time in the far future. */
function wholeSeconds(seconds: number): number {
  return Math.abs(seconds) < INT64_LIMIT ? Math.trunc(seconds) : INT64_LIMIT;
}

/** The time within a cycle of the calendar that a Date can hold; all but the year is right. */
function dateOf(seconds: number): Date {
  return new Date((wholeSeconds(seconds) % CYCLE_SECONDS) * 1000);
}

function yearOf(seconds: number): number {
  const cycles = Math.trunc(wholeSeconds(seconds) / CYCLE_SECONDS);
  return dateOf(seconds).getUTCFullYear() + cycles * CYCLE_YEARS;
}

function dayOfYear(date: Date): number {
  const year = date.getUTCFullYear();
  return (Date.UTC(year, date.getUTCMonth(), date.getUTCDate()) - Date.UTC(year, 0, 1)) / 86_400_000 + 1;
}

function daysInMonth(date: Date): number {
  return new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
}

export const dateFunctions = {
  year: yearOf,
  month: (s) => dateOf(s).getUTCMonth() + 1,
  day_of_month: (s) => dateOf(s).getUTCDate(),
  day_of_week: (s) => dateOf(s).getUTCDay(),
  day_of_year: (s) => dayOfYear(dateOf(s)),
  days_in_month: (s) => daysInMonth(dateOf(s)),
  hour: (s) => dateOf(s).getUTCHours(),
  minute: (s) => dateOf(s).getUTCMinutes(),
} satisfies Record<string, (seconds: number) => number>;
