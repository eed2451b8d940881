import { assertEquals, assertThrows } from "@std/assert";
import { parseSchedule } from "../../local/cron_schedule.ts";

function nextOf(schedule: string, after: string): string {
  return new Date(parseSchedule(schedule).next(Date.parse(after))).toISOString();
}

Deno.test("a schedule in seconds is due that long after the last start", () => {
  assertEquals(nextOf("10 seconds", "2026-11-21T12:00:03.250Z"), "2026-11-21T12:00:13.250Z");
  assertEquals(nextOf("1 second", "2026-11-21T12:00:03.000Z"), "2026-11-21T12:00:04.000Z");
});

Deno.test("five fields name minutes, hours, days, months and weekdays in UTC", () => {
  const after = "2026-11-21T12:34:56Z"; // a Saturday
  assertEquals(nextOf("* * * * *", after), "2026-11-21T12:35:00.000Z");
  assertEquals(nextOf("17 3 * * *", after), "2026-11-22T03:17:00.000Z");
  assertEquals(nextOf("*/20 * * * *", after), "2026-11-21T12:40:00.000Z");
  assertEquals(nextOf("0 9-17/4 * * mon", after), "2026-11-23T09:00:00.000Z");
  assertEquals(nextOf("0 0 1 jan *", after), "2027-01-01T00:00:00.000Z");
  assertEquals(nextOf("0 0 29 2 *", after), "2028-02-29T00:00:00.000Z");
  assertEquals(nextOf("0 0 * * 7", after), "2026-11-22T00:00:00.000Z");
  assertEquals(nextOf("@daily", after), "2026-11-22T00:00:00.000Z");
});

Deno.test("with both day fields restricted, either is enough", () => {
  assertEquals(nextOf("0 0 1 * mon", "2026-11-21T12:00:00Z"), "2026-11-23T00:00:00.000Z");
});

Deno.test("a schedule that makes no sense is refused with what is wrong", () => {
  for (
    const text of ["60 seconds", "0 seconds", "* * * *", "61 * * * *", "* * * foo *", "5-1 * * * *"]
  ) {
    assertThrows(() => parseSchedule(text), Error, `The schedule "${text}" is not valid`);
  }
});
