// What `helm test` runs: the querier answers, and every shard is in the answer. Argument: URL of the querier.
const url = `${process.argv[1]}/api/v1/query?partial_response=false&query=count(up)`;
const deadlineMs = Date.now() + 120_000;
for (;;) {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
    const text = await response.text();
    if (response.ok) {
      const [sample] = JSON.parse(text).data.result;
      console.log(`${url}: ${sample?.value[1] ?? 0} targets`);
      process.exit(0);
    }
    console.log(`${url}: HTTP ${response.status} ${text.slice(0, 500)}`);
  } catch (error) {
    console.log(`${url}: ${error.cause?.message ?? error.message}`);
  }
  if (Date.now() > deadlineMs) process.exit(1);
  await new Promise((resolve) => setTimeout(resolve, 2000));
}
