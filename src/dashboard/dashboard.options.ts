import { Matches } from 'class-validator';

/** The options of the dashboard: plain values, like all of `TaskValues`. */
export class DashboardValues {
  /**
   * Where the page for operators is served, such as `/dashboard`; the app's global prefix is put before it. `off`: not at
   * all. It needs operators: tokens or `operatorGuards`. @defaultValue 'off'; of the standalone server: '/'
   */
  @Matches(/^(off|\/|(\/[\w.~-]+)+)$/, { message: "dashboardUri must be a path such as /dashboard, or 'off'" })
  dashboardUri: string = 'off';
}
