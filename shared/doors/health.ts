/** How the system is, for operators. */
import type { Visit } from "../http/door.ts";
import { fromRpcError } from "../http/http_error.ts";
import type { VideoProvider } from "../providers/provider.ts";

/** Versions that must fit together. */
export interface Versions {
  readonly gemreel: string;
  readonly pgboss: string;
}

/** GET health: the database's report, each provider's balance in USD, versions. */
export async function health(
  visit: Visit,
  { providers, versions }: {
    providers: ReadonlyMap<string, VideoProvider>;
    versions: Versions;
  },
): Promise<Response> {
  const { data, error } = await visit.admin().rpc("health_report");
  if (error) throw fromRpcError(error);
  const balances = await Promise.all(
    [...providers.values()].map(async (provider) => {
      try {
        return [provider.name, {
          balance_usd: await provider.balanceUsd(),
        }] as const;
      } catch (error) {
        visit.log.warn("A provider does not tell its balance", {
          provider: provider.name,
          error,
        });
        return [provider.name, {
          balance_usd: null,
          error: "does not answer",
        }] as const;
      }
    }),
  );
  return Response.json({
    success: true,
    report: data,
    provider_accounts: Object.fromEntries(balances),
    versions,
  });
}
