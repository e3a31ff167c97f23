// The checkout service as the front end sees it.
const MILLISECONDS = 3000;

export function checkoutAt(url) {
  return {
    async catalogue() {
      const answer = await fetch(new URL("/catalogue", url), { signal: AbortSignal.timeout(MILLISECONDS) });
      if (!answer.ok) throw new Error(`the checkout service answered ${answer.status}`);
      return answer.json();
    },
  };
}
