/** What must be true of the product after each run, whatever was measured. */
import { expect } from "../bench.ts";
import { number, type Site } from "./sites.ts";

/** Nothing that the product promises is broken, and each video is paid for exactly once. */
export async function assertOurs(site: Site): Promise<void> {
  const { rows } = await site.db.query("select * from app.invariants limit 3");
  expect("Violated invariants", rows, []);
  expect(
    "Gems charged",
    await number(
      site,
      "select -coalesce(sum(amount), 0) from public.gem_entries where kind in ('charge', 'refund')",
    ),
    await number(site, "select coalesce(sum(gem_cost), 0) from public.videos"),
  );
}
